import { acknowledgementFlood } from './acknowledgement-flood.ts';
import type { Attack } from './attack.ts';
import { authenticatedFlood } from './authenticated-flood.ts';
import {
  badSignatures,
  badSignaturesLargeBody,
  badSignaturesLongPath,
  badSignaturesManyHeaders,
} from './bad-signatures.ts';
import { connectFlood } from './connect-flood.ts';
import { emptySid } from './empty-sid.ts';
import { handshakes } from './handshakes.ts';
import { joinNames } from './join-names.ts';
import { longPaths } from './long-paths.ts';
import { none } from './none.ts';
import { objectFlood } from './object-flood.ts';
import { roomFanOut } from './room-fan-out.ts';
import { silentSockets } from './silent-sockets.ts';
import { slowBodies } from './slow-bodies.ts';
import { storageFlood } from './storage-flood.ts';
import { unfinishedFrames } from './unfinished-frames.ts';
import { unknownNamespaces } from './unknown-namespaces.ts';
import { unreadLists } from './unread-lists.ts';
import { validSends } from './valid-sends.ts';

/** Every attack, in the order of the table. */
export const attacks: readonly Attack[] = [
  none,
  connectFlood,
  slowBodies,
  roomFanOut,
  unreadLists,
  storageFlood,
  joinNames,
  objectFlood,
  acknowledgementFlood,
  emptySid,
  silentSockets,
  unknownNamespaces,
  authenticatedFlood,
  unfinishedFrames,
  longPaths,
  badSignatures,
  badSignaturesLongPath,
  badSignaturesManyHeaders,
  badSignaturesLargeBody,
  validSends,
  handshakes,
];
