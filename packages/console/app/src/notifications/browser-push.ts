import { callApi } from '../api/call.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { registerWorker } from './register-worker.js';

/** The visitor, or the browser's settings, do not allow notifications. */
export class NotAllowedError extends Error {
  override readonly name = 'NotAllowedError';
}

/** The name of the registration among the identity's devices. */
const DEVICE_ID = 'console';
const SHOWN_CHARACTERS = 10;

/** Whether this browser can be pushed to at all. It can't in a page that is neither https nor of this machine. */
export function canBePushedTo(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
}

/** Whether this browser is registered for the identity. Registers nothing. */
export async function isRegistered(identity: CurrentIdentity): Promise<boolean> {
  const subscription = await findSubscription();
  if (subscription === undefined) return false;
  const { devices } = await callApi(identity, 'GET', '/devices');
  const end = `...${subscription.endpoint.slice(-SHOWN_CHARACTERS)}`;
  const isThis = ({ platform, fcmToken, active }: Record<string, unknown>) =>
    platform === 'web' && fcmToken === end && active === true;
  return Array.isArray(devices) && (devices as Record<string, unknown>[]).some(isThis);
}

/**
 * Asks for the permission, subscribes this browser, and registers it for the identity.
 *
 * @param vapidPublicKey the server's key, base64url
 * @throws {NotAllowedError}, {ApiError}, {Error} when the browser's push service can't be reached
 */
export async function notifyBrowser(identity: CurrentIdentity, vapidPublicKey: string): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new NotAllowedError('Notifications are not allowed.');
  const { pushManager } = await registerWorker();
  const applicationServerKey = decodeBase64Url(vapidPublicKey);
  const known = await pushManager.getSubscription();
  // A subscription for another key, which the server had before, would get nothing.
  if (known !== null && !isSame(known.options.applicationServerKey, applicationServerKey)) await known.unsubscribe();
  const { endpoint, keys } = (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })).toJSON();
  const subscription = { endpoint, keys };
  await callApi(identity, 'POST', '/registerDevice', { platform: 'web', deviceId: DEVICE_ID, subscription });
}

/**
 * Ends the registration of this browser for the identity. Other identities may have theirs, so the subscription stays.
 *
 * @throws {ApiError}
 */
export async function stopNotifying(identity: CurrentIdentity): Promise<void> {
  const subscription = await findSubscription();
  if (subscription === undefined) return;
  await callApi(identity, 'POST', '/unregisterDevice', { endpoint: subscription.endpoint });
}

async function findSubscription(): Promise<PushSubscription | undefined> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? undefined;
}

function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

function isSame(key: ArrayBuffer | null, other: Uint8Array): boolean {
  if (key === null || key.byteLength !== other.length) return false;
  return new Uint8Array(key).every((byte, index) => byte === other[index]);
}
