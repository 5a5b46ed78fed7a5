/**
 * The origin of work, for limits and shares: an address, and the identity behind it once the client has claimed or proven
 * one. Anybody can make identities, but not addresses, so shares are divided among addresses first and then among the
 * identities of each address.
 */
export interface Source {
  /** In the form of `toAddressKey`: an IPv4 address, or the /64 of an IPv6 address. */
  readonly address: string;
  /** 66 lower-case hex characters. Undefined before the client has named its identity. */
  readonly identityKey?: string | undefined;
  /** Whether the client has proven that identity. The cost of a proven identity counts at all its addresses. */
  readonly isProven?: boolean;
}
