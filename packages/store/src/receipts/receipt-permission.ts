/**
 * Joins to `messages m` and its box `b` what the recipient has decided about receipts: `rs` for the sender, `rw` for the whole
 * box. Needs no values.
 */
export const JOIN_RECEIPT_PERMISSIONS = `
  LEFT JOIN message_permissions rs
    ON rs.recipient = m.recipient AND rs.sender = m.sender AND rs.message_box = b.type
  LEFT JOIN message_permissions rw
    ON rw.recipient = m.recipient AND rw.sender = X'' AND rw.message_box = b.type`;

/** Condition: the sender may be told what becomes of the message. What is set for the sender comes before what is set for the box. */
export const GIVES_RECEIPTS = '(COALESCE(rs.receipts, rw.receipts, 1) <> 0)';
