package io.regionfs.verbs.soft;

/** Work completion statuses: the numbers of {@code enum ibv_wc_status}. */
final class WcStatus {
  static final int SUCCESS = 0;
  static final int LOC_LEN_ERR = 1;
  static final int LOC_PROT_ERR = 4;
  static final int WR_FLUSH_ERR = 5;
  static final int BAD_RESP_ERR = 7;
  static final int REM_INV_REQ_ERR = 9;
  static final int REM_ACCESS_ERR = 10;
  static final int REM_OP_ERR = 11;
  static final int RETRY_EXC_ERR = 12;
  static final int RNR_RETRY_EXC_ERR = 13;

  private WcStatus() {}
}
