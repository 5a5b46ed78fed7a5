/** The operations of the honest client. */
export const kinds = ['send', 'live', 'hear', 'list', 'acknowledge', 'handshake', 'socket'] as const;
export type Kind = (typeof kinds)[number];

/** One operation of the honest client. Times are milliseconds since the epoch. */
export interface Sample {
  readonly kind: Kind;
  /** When it was due. */
  readonly at: number;
  /** When it had succeeded, after as many tries as it took; or when the client gave up. */
  readonly endedAt: number;
  readonly succeeded: boolean;
  /** Tries that were refused or broken off. */
  readonly refusals: number;
  /** Why the last of them failed. */
  readonly reason?: string | undefined;
}

/** The same clock in every process of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
