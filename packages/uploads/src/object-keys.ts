/** The name of an upload's object in its bucket. Ids are random, so nobody can guess a name. */
export function toObjectKey(uploadId: string): string {
  return `uploads/${uploadId}`;
}
