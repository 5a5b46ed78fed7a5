/** What a check needs is not there, and another check says why. It ends this check as not applicable. */
export class NotApplicableError extends Error {
  override readonly name = 'NotApplicableError';
}

/** A probe has found a fault that one check reports; the others that share the probe are not applicable. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';

  constructor(
    readonly seen: string,
    readonly advice: string,
    cause?: unknown,
  ) {
    super(seen, { cause });
  }
}
