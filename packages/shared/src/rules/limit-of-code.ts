/** The limits that a refusal says by its code alone, whoever refuses: as `messagebox_limits_hit_total` names them. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ['ERR_BODY_TOO_LARGE', 'body_size'],
  ['ERR_MESSAGE_TOO_LARGE', 'message_size'],
  ['ERR_TOO_MANY_RECIPIENTS', 'recipients'],
  ['ERR_TOO_MANY_MESSAGE_IDS', 'acknowledged_ids'],
  ['ERR_TOO_MANY_PERMISSIONS', 'permissions'],
  ['ERR_TOO_MANY_ROOMS', 'rooms_per_socket'],
  ['ERR_INBOX_QUOTA_EXCEEDED', 'inbox_quota'],
  ['ERR_SENDER_QUOTA_EXCEEDED', 'sender_quota'],
]);

/** @returns undefined for a code that is about no limit, or about several, which are counted where they are hit */
export function limitOfCode(code: string): string | undefined {
  return LIMITS.get(code);
}
