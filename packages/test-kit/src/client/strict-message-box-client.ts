import { isIdentityKey } from '../message/identity-key.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { SocketSettings, StrictSocketClient } from '../socket/strict-socket-client.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readDevice, readRowId } from './device-row.js';
import { isName, MAX_BOX_BYTES, MAX_FEE, MAX_ID_BYTES, readArray, readRecord } from './fields.js';
import { type ListOptions, readPages } from './list-pages.js';
import { decodeListedBody, decodePushedBody, deriveMessageId, encodeBody } from './message-body.js';
import { readPermission } from './permission-record.js';
import { readQuote, readQuotes } from './quotes.js';
import { RestClient, type RouteAnswer } from './rest-client.js';
import { type PushedMessage, RoomsConnection } from './rooms-connection.js';
import type {
  MessageBoxMultiQuote,
  MessageBoxPermission,
  MessageBoxQuote,
  Page,
  PeerMessage,
  RegisteredDevice,
  SendMessageParams,
  SendMessageResponse,
} from './types.js';

const MAX_ACKNOWLEDGED = 1_000;
const MAX_RECIPIENTS = 100;
const NOTIFICATIONS = 'notifications';
const UNDECIPHERABLE = '[This message cannot be decrypted.]';

/** The argument of `new StrictMessageBoxClient()`. */
export interface StrictMessageBoxClientOptions {
  /** The origin of the server. */
  readonly host: string;
  readonly walletClient: ClientWallet;
  /** The identity key of the wallet. */
  readonly identityKey: string;
  /** The settings of socket.io-client. */
  readonly socketSettings?: SocketSettings;
  /** The maximum size of a response over HTTP: 16 MiB in current clients, 4 MiB in SDK 2.8.0 to 2.8.8. */
  readonly maxAnswerBytes?: number;
}

/**
 * The calls of the current `MessageBoxClient` that need no money, with the same rules. A request that it would not send causes
 * a `TypeError`, a response that it would not accept a `ProtocolViolationError`, and a refusal a `RequestRefusedError`.
 */
export class StrictMessageBoxClient {
  readonly #wallet: ClientWallet;
  readonly #key: string;
  readonly #host: string;
  readonly #rest: RestClient;
  readonly #rooms: RoomsConnection;
  /** How many live sends were acknowledged as stored. */
  sentLive = 0;
  /** How many live sends were refused and then sent over HTTP. */
  sentByFallback = 0;

  constructor({ host, walletClient, identityKey, socketSettings = {}, maxAnswerBytes }: StrictMessageBoxClientOptions) {
    this.#wallet = walletClient;
    this.#key = identityKey;
    this.#host = host;
    this.#rest = new RestClient(walletClient, maxAnswerBytes);
    this.#rooms = new RoomsConnection(walletClient, identityKey, socketSettings);
  }

  /** The socket in use, if there is one. */
  get testSocket(): StrictSocketClient | undefined {
    return this.#rooms.socket;
  }

  /** All sockets so far. */
  get sockets(): readonly StrictSocketClient[] {
    return this.#rooms.sockets;
  }

  /** The size of the largest response over HTTP so far. Bytes. */
  get largestAnswer(): number {
    return this.#rest.largestAnswer;
  }

  async sendMessage(params: SendMessageParams, host = this.#host): Promise<SendMessageResponse> {
    checkSend(params);
    const { recipient, messageBox } = params;
    if (params.checkPermissions === true) await this.#checkPrice(recipient, messageBox, host);
    const messageId = params.messageId ?? (await deriveMessageId(this.#wallet, params));
    const body = await encodeBody(this.#wallet, params);
    return await this.#post({ recipient, messageBox, messageId, body }, host);
  }

  async listMessages({
    messageBox,
    host = this.#host,
    ...options
  }: { messageBox: string; host?: string } & ListOptions): Promise<PeerMessage[]> {
    checkBox(messageBox);
    const ask = async (paging: Record<string, unknown>) =>
      (await this.#rest.post(`${host}/listMessages`, { messageBox, ...paging })).answer;
    const rows = await readPages(ask, options);
    const messages: PeerMessage[] = [];
    for (const row of rows) {
      const body = (await decodeListedBody(this.#wallet, row.sender, row.body)) as PeerMessage['body'];
      messages.push({ ...row, body });
    }
    return messages;
  }

  async acknowledgeMessage({
    messageIds,
    host = this.#host,
  }: {
    messageIds: string[];
    host?: string;
  }): Promise<string> {
    if (messageIds.length === 0 || messageIds.length > MAX_ACKNOWLEDGED) {
      throw new TypeError(`Current clients acknowledge 1 to ${MAX_ACKNOWLEDGED} messages at once.`);
    }
    for (const id of messageIds) checkId(id);
    await this.#rest.post(`${host}/acknowledgeMessage`, { messageIds: [...new Set(messageIds)] });
    return 'success';
  }

  /** Opens the live connection, if it is not open. */
  async initializeConnection(host = this.#host): Promise<void> {
    await this.#rooms.connect(host);
  }

  async joinRoom(messageBox: string, host = this.#host): Promise<void> {
    checkBox(messageBox);
    await this.#rooms.connect(host);
    this.#rooms.join(`${this.#key}-${messageBox}`);
  }

  async leaveRoom(messageBox: string): Promise<void> {
    checkBox(messageBox);
    this.#rooms.leave(`${this.#key}-${messageBox}`);
  }

  async listenForLiveMessages({
    messageBox,
    onMessage,
    overrideHost,
  }: {
    messageBox: string;
    onMessage: (message: PeerMessage) => void;
    overrideHost?: string;
  }): Promise<void> {
    await this.joinRoom(messageBox, overrideHost);
    this.#rooms.listen(`${this.#key}-${messageBox}`, (message) => {
      void this.#readPush(message).then(onMessage);
    });
  }

  /** Sends live, or over HTTP when the server refuses that. */
  async sendLiveMessage(params: SendMessageParams, host = this.#host): Promise<SendMessageResponse> {
    checkSend(params);
    await this.joinRoom(params.messageBox);
    const { recipient, messageBox } = params;
    const messageId = params.messageId ?? (await deriveMessageId(this.#wallet, params));
    const body = await encodeBody(this.#wallet, params);
    const ack = await this.#rooms.send(`${recipient}-${messageBox}`, { messageId, recipient, body });
    if (ack['status'] === 'success') {
      this.sentLive += 1;
      return { status: 'success', messageId };
    }
    this.sentByFallback += 1;
    return await this.sendMessage({ ...params, messageId }, host);
  }

  async setMessageBoxPermission(
    { messageBox, sender, recipientFee }: { messageBox: string; sender?: string; recipientFee: number },
    host = this.#host,
  ): Promise<void> {
    checkBox(messageBox);
    if (sender !== undefined) checkKey(sender, 'sender');
    if (!Number.isSafeInteger(recipientFee) || recipientFee < -1 || recipientFee > MAX_FEE) {
      throw new TypeError(`Current clients set fees from -1 to ${MAX_FEE}.`);
    }
    await this.#rest.post(`${host}/permissions/set`, { messageBox, recipientFee, ...(sender && { sender }) });
  }

  async getMessageBoxPermission(
    { recipient, messageBox, sender }: { recipient: string; messageBox: string; sender?: string },
    host = this.#host,
  ): Promise<MessageBoxPermission | null> {
    checkKey(recipient, 'recipient');
    checkBox(messageBox);
    if (sender !== undefined) checkKey(sender, 'sender');
    const query = new URLSearchParams({ messageBox, ...(sender && { sender }) });
    const { answer } = await this.#rest.get(`${host}/permissions/get?${query}`);
    if (!Object.hasOwn(answer, 'permission')) throw new ProtocolViolationError('9.4', 'the permission is left out');
    return answer['permission'] === null ? null : readPermission(answer['permission']);
  }

  async listMessageBoxPermissions(
    { messageBox, limit, offset }: { messageBox?: string } & Page = {},
    host = this.#host,
  ): Promise<MessageBoxPermission[]> {
    const query = new URLSearchParams();
    if (messageBox !== undefined) {
      checkBox(messageBox);
      query.set('messageBox', messageBox);
    }
    addPage(query, { limit, offset });
    const { answer } = await this.#rest.get(`${host}/permissions/list?${query}`);
    return readArray(answer['permissions'], 'permissions').map(readPermission);
  }

  async getMessageBoxQuote(
    { recipient, messageBox }: { recipient: string | string[]; messageBox: string },
    host = this.#host,
  ): Promise<MessageBoxQuote | MessageBoxMultiQuote> {
    checkBox(messageBox);
    if (Array.isArray(recipient)) return await this.#quoteSeveral(recipient, messageBox, host);
    checkKey(recipient, 'recipient');
    const query = new URLSearchParams({ recipient, messageBox });
    const { answer, server } = await this.#rest.get(`${host}/permissions/quote?${query}`);
    return readQuote(answer['quote'], server);
  }

  async allowNotificationsFromPeer(sender: string, recipientFee = 0, host = this.#host): Promise<void> {
    await this.setMessageBoxPermission({ messageBox: NOTIFICATIONS, sender, recipientFee }, host);
  }

  async denyNotificationsFromPeer(sender: string, host = this.#host): Promise<void> {
    await this.setMessageBoxPermission({ messageBox: NOTIFICATIONS, sender, recipientFee: -1 }, host);
  }

  async checkPeerNotificationStatus(sender: string, host = this.#host): Promise<MessageBoxPermission | null> {
    return await this.getMessageBoxPermission({ recipient: this.#key, messageBox: NOTIFICATIONS, sender }, host);
  }

  async listPeerNotifications(host = this.#host): Promise<MessageBoxPermission[]> {
    return await this.listMessageBoxPermissions({ messageBox: NOTIFICATIONS }, host);
  }

  async sendNotification(recipient: string, body: string | object, host = this.#host): Promise<SendMessageResponse> {
    return await this.sendMessage({ recipient, messageBox: NOTIFICATIONS, body, checkPermissions: true }, host);
  }

  async registerDevice(
    { fcmToken, deviceId, platform }: { fcmToken: string; deviceId?: string; platform?: 'ios' | 'android' | 'web' },
    host = this.#host,
  ): Promise<{ status: string; message: string; deviceId: number }> {
    if (!isName(fcmToken, 500)) throw new TypeError('Current clients register no such token.');
    if (deviceId !== undefined && !isName(deviceId, 255))
      throw new TypeError('Current clients register no such device.');
    const { answer } = await this.#rest.post(`${host}/registerDevice`, { fcmToken, deviceId, platform });
    const { message } = answer;
    if (typeof message !== 'string')
      throw new ProtocolViolationError('9.7', 'the response to a registration has no message');
    return { status: 'success', message, deviceId: readRowId(answer['deviceId']) };
  }

  async listRegisteredDevices(host = this.#host, page: Page = {}): Promise<RegisteredDevice[]> {
    const query = new URLSearchParams();
    addPage(query, page);
    const { answer } = await this.#rest.get(`${host}/devices${query.size > 0 ? `?${query}` : ''}`);
    const devices = readArray(answer['devices'], 'devices', '9.7').map(readDevice);
    if (page.limit !== undefined && devices.length > page.limit) {
      throw new ProtocolViolationError(
        '9.7',
        `a page has ${devices.length} devices where ${page.limit} were requested`,
      );
    }
    return devices;
  }

  /** Closes all sockets. */
  close(): void {
    this.#rooms.close();
  }

  async #post(message: Record<'recipient' | 'messageBox' | 'messageId' | 'body', string>, host: string) {
    const { answer }: RouteAnswer = await this.#rest.post(`${host}/sendMessage`, { message });
    const { recipient, messageId } = message;
    if (answer['results'] !== undefined) {
      const [first, ...more] = readArray(answer['results'], 'the results of a send');
      const result = readRecord(first, 'the result of a send');
      if (more.length > 0 || result['recipient'] !== recipient || result['messageId'] !== messageId) {
        throw new ProtocolViolationError('4', 'the results of a send do not match the message');
      }
    }
    if (answer['message'] !== undefined && !isText(answer['message'], 512)) {
      throw new ProtocolViolationError('4', 'the message of a response is not a trimmed string of at most 512 bytes');
    }
    return { status: 'success', messageId };
  }

  async #checkPrice(recipient: string, messageBox: string, host: string): Promise<void> {
    const quote = (await this.getMessageBoxQuote({ recipient, messageBox }, host)) as MessageBoxQuote;
    if (quote.recipientFee === -1) throw new Error('The recipient has blocked this sender.');
    if (quote.recipientFee + quote.deliveryFee > 0) throw new Error('This client has no money to pay for a message.');
  }

  async #quoteSeveral(recipients: string[], messageBox: string, host: string): Promise<MessageBoxMultiQuote> {
    for (const key of recipients) checkKey(key, 'recipient');
    if (recipients.length > MAX_RECIPIENTS || new Set(recipients).size !== recipients.length) {
      throw new TypeError(`Current clients request the quotes of at most ${MAX_RECIPIENTS} recipients, each once.`);
    }
    const query = new URLSearchParams(recipients.map((key): [string, string] => ['recipient', key]));
    query.set('messageBox', messageBox);
    const { answer, server } = await this.#rest.get(`${host}/permissions/quote?${query}`);
    const quotesByRecipient = readQuotes(answer, recipients, messageBox);
    const sum = (fees: number[]) => fees.reduce((total, fee) => total + fee, 0);
    const deliveryFees = sum(quotesByRecipient.map(({ deliveryFee }) => deliveryFee));
    const recipientFees = sum(quotesByRecipient.map(({ recipientFee }) => Math.max(recipientFee, 0)));
    return {
      quotesByRecipient,
      totals: { deliveryFees, recipientFees, totalForPayableRecipients: deliveryFees + recipientFees },
      blockedRecipients: quotesByRecipient.filter(({ status }) => status === 'blocked').map((quote) => quote.recipient),
      deliveryAgentIdentityKeyByHost: { [host]: server },
    };
  }

  async #readPush(message: PushedMessage): Promise<PeerMessage> {
    // Current clients also pass an undecipherable message to the app.
    const body = await decodePushedBody(this.#wallet, message.sender, message.body).catch(() => UNDECIPHERABLE);
    return { created_at: '', updated_at: '', ...message, body };
  }
}

function checkSend({ recipient, messageBox, messageId }: SendMessageParams): void {
  checkKey(recipient, 'recipient');
  checkBox(messageBox);
  if (messageId !== undefined) checkId(messageId);
}

function checkKey(key: string, what: string): void {
  if (!isIdentityKey(key)) throw new TypeError(`Current clients accept only an identity key as ${what}.`);
}

function checkBox(name: string): void {
  if (isName(name, MAX_BOX_BYTES)) return;
  throw new TypeError(
    `Current clients use box names that are trimmed strings of 1 to ${MAX_BOX_BYTES} bytes without control characters.`,
  );
}

function checkId(id: string): void {
  if (isName(id, MAX_ID_BYTES)) return;
  throw new TypeError(
    `Current clients use ids that are trimmed strings of 1 to ${MAX_ID_BYTES} bytes without control characters.`,
  );
}

function isText(value: unknown, maxBytes: number): boolean {
  return typeof value === 'string' && value !== '' && value.trim() === value && Buffer.byteLength(value) <= maxBytes;
}

function addPage(
  query: URLSearchParams,
  { limit, offset }: { limit?: number | undefined; offset?: number | undefined },
) {
  if (limit !== undefined) query.set('limit', String(limit));
  if (offset !== undefined) query.set('offset', String(offset));
}
