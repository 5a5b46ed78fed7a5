/** The limits that an error code alone identifies, by their names in the metric `messagebox_limits_hit_total`. */
const LIMIT_BY_ERROR_CODE: ReadonlyMap<string, string> = new Map([
  ['ERR_BODY_TOO_LARGE', 'body_size'],
  ['ERR_MESSAGE_TOO_LARGE', 'message_size'],
  ['ERR_TOO_MANY_RECIPIENTS', 'recipients'],
  ['ERR_TOO_MANY_MESSAGE_IDS', 'acknowledged_ids'],
  ['ERR_TOO_MANY_PERMISSIONS', 'permissions'],
  ['ERR_TOO_MANY_IDENTITIES', 'identities_per_token'],
  ['ERR_TOO_MANY_ROOMS', 'rooms_per_socket'],
  ['ERR_TOO_MANY_REPLAYS', 'replays'],
  ['ERR_INBOX_QUOTA_EXCEEDED', 'inbox_quota'],
  ['ERR_SENDER_QUOTA_EXCEEDED', 'sender_quota'],
  ['ERR_UPLOAD_TOO_LARGE', 'upload_size'],
  ['ERR_TOO_MANY_UPLOADS', 'open_uploads'],
]);

/** @returns the limit's name in metrics; undefined for a code of no limit, or of several, which are counted where they are hit */
export function findLimitByErrorCode(code: string): string | undefined {
  return LIMIT_BY_ERROR_CODE.get(code);
}
