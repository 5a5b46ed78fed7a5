/** What the codes of failed connections mean, as the end of a sentence about an address. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the name is not known to DNS',
  EAI_AGAIN: 'DNS does not answer',
  ETIMEDOUT: 'no connection came about in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection came about in time',
  EHOSTUNREACH: 'the network has no way there',
  ENETUNREACH: 'the network has no way there',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its TLS certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its TLS certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its TLS certificate comes without the intermediate certificates',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on that port',
  EPROTO: 'it does not speak TLS on that port',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP on that port',
};

/** The code of an error, or of what caused it: `ECONNREFUSED`. */
export function findErrorCode(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string') return code;
    // Several addresses of one name were tried.
    const { errors } = cause as { errors?: unknown };
    if (Array.isArray(errors) && errors.length > 0) return findErrorCode(errors[0]);
  }
  return undefined;
}

/** Says why a connection failed, as the end of a sentence. @returns undefined when it was not the connection */
export function describeNetworkError(error: unknown): string | undefined {
  const code = findErrorCode(error);
  return code === undefined ? undefined : MEANINGS[code];
}
