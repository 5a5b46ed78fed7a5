/** For HEALTHCHECK, as the image has no curl: ends with 0 if the server in this container answers 2xx. */
import { get } from 'node:http';

const path = process.argv[2] ?? '/health/live';
const end = (healthy) => process.exit(healthy ? 0 : 1);

get({ port: process.env.PORT, path, timeout: 3_000 }, (response) => end((response.statusCode ?? 500) < 300))
  .on('timeout', () => end(false))
  .on('error', () => end(false));
