import type { DescribedPrices } from '@messagebox/messages';

/** Two limits of what is stored for or from somebody. Null: no limit. */
export interface QuotaInfo {
  readonly messages: number | null;
  readonly bytes: number | null;
}

/** What a server tells anybody about itself: the answer of `GET /info`. Sizes are in bytes, fees in satoshis. */
export interface ServerInfo {
  readonly status: 'success';
  readonly product: 'MessageBox';
  readonly version: string;
  readonly identityKey: string;
  readonly network: 'main' | 'test' | 'local';
  readonly limits: {
    /** Of a `POST /sendMessage`, with its payment (`MAX_BODY_BYTES`). */
    readonly requestBodyBytes: number;
    /** Of any other request. */
    readonly otherRequestBodyBytes: number;
    /** Of one message as JSON in a list. */
    readonly listedBodyBytes: number;
    /** Of a body, times its recipients. */
    readonly copiedBodyBytes: number;
    /** Of a body that is sent or pushed live (`LIVE_MAX_BODY`). */
    readonly liveBodyBytes: number;
    /** Of a pushed event in encoded form. A larger message is found by listing. */
    readonly liveEventBytes: number;
    /** Of messages with a payment as they are stored: of each recipient, and of all of one send. */
    readonly paidMessages: { readonly eachBytes: number; readonly allBytes: number };
    readonly recipients: number;
    readonly acknowledgedIds: number;
    readonly messageIdCharacters: number;
    readonly messageIdBytes: number;
    readonly boxNameCharacters: number;
    /** Boxes of one identity. Null: no limit. */
    readonly boxes: number | null;
    /** A page of `/listMessages` with `offset`. */
    readonly listPage: { readonly messages: number; readonly bytes: number };
    /** An answer of `/listMessages` without `offset`. */
    readonly listAnswer: { readonly messages: number; readonly bytes: number };
    readonly permissions: number;
    readonly devices: number;
    readonly quotas: { readonly inbox: QuotaInfo; readonly sender: QuotaInfo; readonly pair: QuotaInfo };
    /** After how many days a message without a payment is removed. Null: never. */
    readonly retentionDays: number | null;
    /** How many years ahead `expiresAt` may be. */
    readonly expiryYears: number;
  };
  readonly fees: {
    /** The server's delivery fees by box; 0 for others. Missing while the server can't read them. */
    readonly delivery?: Readonly<Record<string, number>>;
    /** The fees of recipients who have set nothing, by box; 0 for others. */
    readonly recipientDefaults: Readonly<Record<string, number>>;
  };
  readonly push: {
    /** Messages in these boxes are pushed to devices. */
    readonly boxes: readonly string[];
    /** Whether there are pushes by Firebase. */
    readonly fcm: boolean;
    /** Of Web Push (RFC 8292), base64url. Missing without Web Push. */
    readonly vapidPublicKey?: string;
  };
  readonly websockets: {
    readonly enabled: boolean;
    /** Where socket.io is, from the root of the origin. */
    readonly path: string;
  };
  readonly overlay: {
    /** The origin that this server advertises, from HOSTING_DOMAIN. Null: none. */
    readonly url: string | null;
    readonly topics: readonly string[];
    readonly lookupServices: readonly string[];
  };
  /** Large bodies by reference. Missing when they are off. */
  readonly uploads?: UploadsInfo;
  /** What requests cost (BRC-105). Missing when they are free. */
  readonly prices?: DescribedPrices;
}

/** The section of large bodies by reference. */
export interface UploadsInfo {
  /** Of one upload (`UPLOAD_MAX_BYTES`). */
  readonly maxBytes: number;
  /** Uploads of one identity that no message names yet. */
  readonly openPerIdentity: number;
}
