/** A message as a client hands it to its app: decrypted, and parsed where it is JSON. */
export interface PeerMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string | Record<string, unknown>;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface SendMessageParams {
  /** Identity key. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly body: string | object;
  /** An HMAC of the body by default. */
  readonly messageId?: string;
  readonly skipEncryption?: boolean;
  /** Whether to ask for the price first, and not to send where there is one. */
  readonly checkPermissions?: boolean;
}

export interface SendMessageResponse {
  readonly status: string;
  readonly messageId: string;
}

export interface MessageBoxPermission {
  readonly sender: string | null;
  readonly messageBox: string;
  /** -1 blocked, 0 free, else satoshis. */
  readonly recipientFee: number;
  readonly status: PermissionStatus;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type PermissionStatus = 'always_allow' | 'blocked' | 'payment_required';

export interface MessageBoxQuote {
  readonly deliveryFee: number;
  readonly recipientFee: number;
  readonly deliveryAgentIdentityKey: string;
}

export interface RecipientQuote {
  readonly recipient: string;
  readonly messageBox: string;
  readonly deliveryFee: number;
  readonly recipientFee: number;
  readonly status: PermissionStatus;
}

export interface MessageBoxMultiQuote {
  readonly quotesByRecipient: RecipientQuote[];
  readonly totals: {
    readonly deliveryFees: number;
    readonly recipientFees: number;
    readonly totalForPayableRecipients: number;
  };
  readonly blockedRecipients: string[];
  readonly deliveryAgentIdentityKeyByHost: Record<string, string>;
}

export interface RegisteredDevice {
  readonly id: number;
  readonly deviceId: string | null;
  readonly platform: string | null;
  readonly fcmToken: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastUsed: string;
}

export interface Page {
  readonly limit?: number;
  readonly offset?: number;
}
