import os from 'node:os';

/** The first address of this machine that is not its loopback's: where others on the same network reach it. */
export function ownAddress(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.filter((address) => !address.internal);
  return (outward.find((address) => address.family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1';
}
