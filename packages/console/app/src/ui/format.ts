const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const exactTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'medium' });
const whole = new Intl.NumberFormat('en-GB');
const DAY_MS = 86_400_000;

/** The time of a message in a list: the hour of today's, else the day. @param now both in milliseconds since 1970 */
export function formatListTime(at: number, now: number): string {
  return Math.abs(now - at) < DAY_MS ? time.format(at) : day.format(at);
}

/** `14:05:09`. @param at milliseconds since 1970 */
export function formatTime(at: number): string {
  return exactTime.format(at);
}

/** `30 November 2026 at 14:05:09`. @param at milliseconds since 1970 */
export function formatFullTime(at: number): string {
  return full.format(at);
}

/** `10,000`. */
export function formatNumber(value: number): string {
  return whole.format(value);
}

/** `3 minutes` or `2 days`: the largest unit that fits. @param ms zero or more */
export function formatDuration(ms: number): string {
  const units = [
    ['day', DAY_MS],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [unit, size] = units.find(([, length]) => ms >= length) ?? ['second', 1_000];
  const count = Math.round(ms / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** `1,204 bytes` or `3.4 KB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${formatNumber(bytes)} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
