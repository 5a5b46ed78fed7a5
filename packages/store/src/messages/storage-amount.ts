/** An amount of stored messages: their number, and the UTF-8 bytes of their bodies. */
export interface StorageAmount {
  readonly messages: number;
  readonly bytes: number;
}
