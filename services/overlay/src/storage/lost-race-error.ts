/** Another process has changed what was read before. The transaction has to be repeated from its beginning. */
export class LostRaceError extends Error {
  override readonly name = 'LostRaceError';
}
