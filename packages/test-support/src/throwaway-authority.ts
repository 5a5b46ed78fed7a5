import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its key, in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test, which nobody trusts who is not given {@link ThrowawayAuthority.certificate}. */
export interface ThrowawayAuthority {
  /** In PEM. */
  readonly certificate: string;
  /** Makes the certificate of a server with these names and IPv4 addresses. */
  issue(...names: string[]): ServerCertificate;
}

const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const LIFE_MS = 86_400_000;

/** Makes an authority with a key of its own (X.509, RFC 5280). */
export function createThrowawayAuthority(): ThrowawayAuthority {
  const issuer = 'throw-away authority';
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const make = (subject: string, key: KeyObject, extension: Buffer) =>
    toPem('CERTIFICATE', createCertificate({ issuer, subject, key, extension, signer: keys.privateKey }));
  const isAuthority = createExtension(BASIC_CONSTRAINTS, tlv(0x30, tlv(0x01, Buffer.from([0xff]))));
  return {
    certificate: make(issuer, keys.publicKey, isAuthority),
    issue(...names) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const list = names.map((name) =>
        isIPv4(name) ? tlv(0x87, Buffer.from(name.split('.').map(Number))) : tlv(0x82, Buffer.from(name)),
      );
      return {
        cert: make(names[0] ?? 'server', own.publicKey, createExtension(SUBJECT_ALT_NAME, tlv(0x30, ...list))),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

function createCertificate(options: {
  readonly issuer: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly extension: Buffer;
  readonly signer: KeyObject;
}): Buffer {
  const algorithm = tlv(0x30, tlv(0x06, Buffer.from(ECDSA_WITH_SHA256)));
  const now = Date.now();
  const content = tlv(
    0x30,
    tlv(0xa0, tlv(0x02, Buffer.from([2]))), // version 3
    // A first byte below 0x80 keeps the number positive, and one above 0 keeps it short.
    tlv(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    createName(options.issuer),
    tlv(0x30, createTime(now - LIFE_MS), createTime(now + LIFE_MS)),
    createName(options.subject),
    options.key.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, tlv(0x30, options.extension)),
  );
  const signature = sign('sha256', content, options.signer);
  return tlv(0x30, content, algorithm, tlv(0x03, Buffer.from([0]), signature));
}

function createName(commonName: string): Buffer {
  const pair = tlv(0x30, tlv(0x06, Buffer.from(COMMON_NAME)), tlv(0x0c, Buffer.from(commonName)));
  return tlv(0x30, tlv(0x31, pair));
}

/** GeneralizedTime: `20261130120000Z`. */
function createTime(ms: number): Buffer {
  return tlv(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
}

function createExtension(id: readonly number[], value: Buffer): Buffer {
  return tlv(0x30, tlv(0x06, Buffer.from(id)), tlv(0x04, value));
}

/** A value of DER: its tag, its length, its content. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
