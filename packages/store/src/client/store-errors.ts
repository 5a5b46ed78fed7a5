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

/** The recipient has as many permissions as one identity may have. Nothing was set. */
export class TooManyPermissionsError extends Error {
  override readonly name = 'TooManyPermissionsError';
  constructor(readonly limit: number) {
    super(`The recipient has ${limit} permissions, and may have no more.`);
  }
}

/** As many identities have registered the device's token as may. Nothing was changed. */
export class TooManyIdentitiesError extends Error {
  override readonly name = 'TooManyIdentitiesError';
  constructor(readonly limit: number) {
    super(`${limit} identities have registered this token, and there may be no more.`);
  }
}

/** As many identities are blocked as may be. Nothing was changed. */
export class TooManyBlockedError extends Error {
  override readonly name = 'TooManyBlockedError';
  constructor(readonly limit: number) {
    super(`${limit} identities are blocked, and there may be no more.`);
  }
}

/** The upload of a message is not its sender's, has expired, or is named by another message. Nothing was stored. */
export class UploadUnavailableError extends Error {
  override readonly name = 'UploadUnavailableError';
  constructor() {
    super('The upload cannot be named by this message.');
  }
}

/** An identity, or the server, has as many uploads as it may have. Nothing was announced. */
export class TooManyUploadsError extends Error {
  override readonly name = 'TooManyUploadsError';
  constructor(readonly whose: 'identity' | 'server') {
    super('There are too many uploads.');
  }
}

/** The database can't be reached, or stayed contended. A later try may succeed. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
  constructor(cause: unknown) {
    super('The message store is not available.', { cause });
  }
}

/** The database answers, but takes no writes: it is read-only or full, or leaves writes unanswered. Reads may go on. */
export class WritesRefusedError extends StoreUnavailableError {
  override readonly name = 'WritesRefusedError';
}

/** The schema can't be brought up to date. The message says what to do; a retry alone won't help. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}
