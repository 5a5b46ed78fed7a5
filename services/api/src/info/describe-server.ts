import { MAX_EVENT_BYTES } from '@messagebox/brc103/socket-io';
import { DEFAULT_RECIPIENT_FEES, describePrices, MESSAGE_LIMITS } from '@messagebox/messages';
import { type Config, parseHostingUrl, VERSION } from '@messagebox/shared';
import type { QuotaInfo, ServerInfo } from './server-info.js';

/** The argument of {@link describeServer}. */
export interface DescribeServerOptions {
  readonly config: Config;
  /** Of this server: 66 lower-case hex characters. */
  readonly identityKey: string;
}

/** The topics and lookup services of the overlay (BRC-88), which every server runs. A test compares them with the overlay. */
export const OVERLAY_SERVICES = {
  topics: ['tm_messagebox', 'tm_ship', 'tm_slap'],
  lookupServices: ['ls_messagebox', 'ls_ship', 'ls_slap'],
} as const;

/**
 * Describes a server from its configuration, without the fees that the database holds. The values are those that the rules
 * enforce, from the same places.
 */
export function describeServer({ config, identityKey }: DescribeServerOptions): ServerInfo {
  const { limits, quotas, webPush, uploads, prices } = config;
  return {
    status: 'success',
    product: 'MessageBox',
    version: VERSION,
    identityKey,
    network: config.network,
    limits: {
      requestBodyBytes: limits.requestBody,
      otherRequestBodyBytes: limits.otherRequestBody,
      listedBodyBytes: limits.listedBody,
      copiedBodyBytes: MESSAGE_LIMITS.copiedBytes,
      liveBodyBytes: limits.liveBody,
      liveEventBytes: MAX_EVENT_BYTES,
      paidMessages: { eachBytes: limits.paidMessages.each, allBytes: limits.paidMessages.all },
      recipients: limits.recipients,
      acknowledgedIds: limits.acknowledgedIds,
      messageIdCharacters: MESSAGE_LIMITS.nameCharacters,
      messageIdBytes: MESSAGE_LIMITS.messageIdBytes,
      boxNameCharacters: MESSAGE_LIMITS.nameCharacters,
      boxes: null,
      listPage: {
        messages: MESSAGE_LIMITS.offsetPage.messages,
        bytes: Math.min(limits.list, MESSAGE_LIMITS.offsetPage.bytes),
      },
      listAnswer: { messages: MESSAGE_LIMITS.cursorPageMessages, bytes: limits.list },
      permissions: limits.permissions,
      devices: limits.devices,
      quotas: { inbox: toQuotaInfo(quotas.inbox), sender: toQuotaInfo(quotas.sender), pair: toQuotaInfo(quotas.pair) },
      retentionDays: config.retentionDays === 0 ? null : config.retentionDays,
      expiryYears: MESSAGE_LIMITS.expiryYears,
    },
    fees: { recipientDefaults: Object.fromEntries(DEFAULT_RECIPIENT_FEES) },
    push: {
      boxes: config.pushBoxes.map(({ messageBox }) => messageBox),
      fcm: config.push !== undefined,
      ...(webPush === undefined ? {} : { vapidPublicKey: webPush.publicKey }),
    },
    websockets: { enabled: config.websockets, path: `${config.routingPrefix}/socket.io/` },
    overlay: { url: parseHostingUrl(config.hostingDomain)?.origin ?? null, ...OVERLAY_SERVICES },
    // Features that are not always on.
    ...(uploads === undefined
      ? {}
      : { uploads: { maxBytes: limits.uploads.bytes, openPerIdentity: limits.uploads.openPerIdentity } }),
    ...(prices === undefined ? {} : { prices: describePrices(prices) }),
  };
}

function toQuotaInfo({ messages, bytes }: { readonly messages: number; readonly bytes: number }): QuotaInfo {
  return { messages: messages === 0 ? null : messages, bytes: bytes === 0 ? null : bytes };
}
