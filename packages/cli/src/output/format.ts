const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12.3 MB`. Undefined: a dash. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A number with at most one digit behind the point, and commas between thousands. Undefined: a dash. */
export function formatNumber(value: number | undefined): string {
  return value === undefined ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** `3 d 4 h`, `5 min 2 s`. Undefined: a dash. */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}
