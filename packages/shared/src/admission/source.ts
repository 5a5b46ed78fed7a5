/**
 * Whom work is accounted to: an address, and, once it is claimed or proven, the identity behind it. Identities are free to
 * make and addresses are not, so shares are divided among addresses first, and then among the identities of each.
 */
export interface Source {
  /** As `addressKey` writes it: an IPv4 address, or the /64 of an IPv6 address. */
  readonly address: string;
  /** 66 lower-case hex characters; undefined before a client has said who it is. */
  readonly identityKey?: string | undefined;
}
