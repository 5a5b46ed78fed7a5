/** A size: `312 bytes`, `4.2 kB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const [size, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${size.toFixed(1)} ${unit}`;
}

/** Replaces each identity key by its ends, so that what stands after it can be read. */
export const shortenKeys = (text: string): string =>
  text.replace(/0[23][0-9a-f]{64}/g, (key) => `${key.slice(0, 6)}…${key.slice(-4)}`);

const timeFormat = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** The time of day with milliseconds. */
export const formatTime = (at: number): string => timeFormat.format(at);
