import { signal } from '@preact/signals';

/** By how much this device's clock is ahead of the server's, in milliseconds; undefined until it was measured. */
export const clockLeadMs = signal<number | undefined>(undefined);

/** The header has whole seconds, and the answer travels a while. */
const IGNORED_LEAD_MS = 30_000;

/** Compares the clocks, by the Date of an answer. Says nothing when the server does not answer. */
export async function measureClock(): Promise<void> {
  try {
    const before = Date.now();
    const answer = await fetch('./', { method: 'HEAD', cache: 'no-store' });
    const serverTime = Date.parse(answer.headers.get('date') ?? '');
    if (Number.isNaN(serverTime)) return;
    const lead = (before + Date.now()) / 2 - serverTime;
    clockLeadMs.value = Math.abs(lead) < IGNORED_LEAD_MS ? 0 : lead;
  } catch {
    // The status line says that the server can't be reached.
  }
}

/** The time of the server now, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() - (clockLeadMs.value ?? 0);
}
