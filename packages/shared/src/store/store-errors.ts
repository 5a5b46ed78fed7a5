/** The recipient already has a message with this id from another sender or in another box. */
export class MessageIdTakenError extends Error {
  override readonly name = 'MessageIdTakenError';
  constructor(
    readonly recipient: string,
    readonly messageId: string,
  ) {
    super('The recipient already has another message with this id.');
  }
}

/** The recipient has as many permissions as are kept of one identity. Nothing was set. */
export class TooManyPermissionsError extends Error {
  override readonly name = 'TooManyPermissionsError';
  constructor(readonly limit: number) {
    super(`The recipient has ${limit} permissions, and may have no more.`);
  }
}

/** The database can't be reached, or stayed contended. Worth a retry by the caller's caller. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  constructor(cause: unknown) {
    super('The message store is not available.', { cause });
  }
}

/** The schema can't be brought up to date. What to do about it stands in the message; a retry alone won't help. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}
