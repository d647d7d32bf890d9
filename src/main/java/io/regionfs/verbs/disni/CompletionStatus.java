package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvWC.IbvWcStatus;
import io.regionfs.verbs.TransferException.Reason;

/** What the status of a failed work completion means. Source: ibv_poll_cq(3). */
@SuppressWarnings("EnumOrdinal") // DiSNI declares the constants in the order of ibv_wc_status
final class CompletionStatus {
  static final int SUCCESS = IbvWcStatus.IBV_WC_SUCCESS.ordinal();

  private CompletionStatus() {}

  static Reason reason(int status) {
    if (status < 0 || status >= IbvWcStatus.values().length) {
      return Reason.DISCONNECTED;
    }
    return switch (IbvWcStatus.values()[status]) {
      case IBV_WC_REM_ACCESS_ERR,
          IBV_WC_REM_INV_REQ_ERR,
          IBV_WC_REM_OP_ERR,
          IBV_WC_REM_INV_RD_REQ_ERR ->
          Reason.REMOTE_ACCESS;
      case IBV_WC_LOC_LEN_ERR,
          IBV_WC_LOC_QP_OP_ERR,
          IBV_WC_LOC_EEC_OP_ERR,
          IBV_WC_LOC_PROT_ERR,
          IBV_WC_LOC_ACCESS_ERR,
          IBV_WC_LOC_RDD_VIOL_ERR,
          IBV_WC_MW_BIND_ERR ->
          Reason.LOCAL;
      default -> Reason.DISCONNECTED;
    };
  }

  static String name(int status) {
    return status < 0 || status >= IbvWcStatus.values().length
        ? "completion status " + status
        : IbvWcStatus.values()[status].name();
  }
}
