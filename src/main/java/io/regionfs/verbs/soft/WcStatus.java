package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvWC.IbvWcStatus;

/** Work completion statuses as numbers. */
final class WcStatus {
  static final int SUCCESS = IbvWcStatus.IBV_WC_SUCCESS.ordinal();
  static final int LOC_LEN_ERR = IbvWcStatus.IBV_WC_LOC_LEN_ERR.ordinal();
  static final int LOC_PROT_ERR = IbvWcStatus.IBV_WC_LOC_PROT_ERR.ordinal();
  static final int WR_FLUSH_ERR = IbvWcStatus.IBV_WC_WR_FLUSH_ERR.ordinal();
  static final int BAD_RESP_ERR = IbvWcStatus.IBV_WC_BAD_RESP_ERR.ordinal();
  static final int REM_INV_REQ_ERR = IbvWcStatus.IBV_WC_REM_INV_REQ_ERR.ordinal();
  static final int REM_ACCESS_ERR = IbvWcStatus.IBV_WC_REM_ACCESS_ERR.ordinal();
  static final int REM_OP_ERR = IbvWcStatus.IBV_WC_REM_OP_ERR.ordinal();
  static final int RETRY_EXC_ERR = IbvWcStatus.IBV_WC_RETRY_EXC_ERR.ordinal();
  static final int RNR_RETRY_EXC_ERR = IbvWcStatus.IBV_WC_RNR_RETRY_EXC_ERR.ordinal();

  private WcStatus() {}
}
