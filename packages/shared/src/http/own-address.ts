import os from 'node:os';

/** The first address of this machine that is not a loopback address. Other machines of the network reach it there. */
export function findOwnAddress(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.filter((address) => !address.internal);
  return (outward.find((address) => address.family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1';
}
