/** A message as a client passes it to its app: decrypted, and parsed if it is JSON. */
export interface PeerMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string | Record<string, unknown>;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface SendMessageParams {
  /** The identity key of the recipient. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly body: string | object;
  /** Default: an HMAC of the body. */
  readonly messageId?: string;
  readonly skipEncryption?: boolean;
  /** Whether to request a quote first, and to send only when the message is free. */
  readonly checkPermissions?: boolean;
}

export interface SendMessageResponse {
  readonly status: string;
  readonly messageId: string;
}

export interface MessageBoxPermission {
  readonly sender: string | null;
  readonly messageBox: string;
  /** -1 means blocked, 0 free, and other values are satoshis. */
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
