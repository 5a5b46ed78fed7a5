import type { Properties } from '../../schema.js';
import type { Group } from '../operation.js';
import { account } from './account.js';
import { development } from './development.js';
import { deviceSchemas, devices } from './devices.js';
import { feeSchemas, fees } from './fees.js';
import { messageSchemas, messages } from './messages.js';
import { operatorSchemas, operators } from './operators.js';
import { overlay, overlaySchemas } from './overlay.js';
import { ownAdvertisementSchemas, ownAdvertisements } from './own-advertisements.js';
import { permissionSchemas, permissions } from './permissions.js';
import { server, serverSchemas } from './server.js';
import { synchronisation } from './synchronisation.js';
import { uploadSchemas, uploads } from './uploads.js';

/** All routes, in the order of the document. */
export const groups: readonly Group[] = [
  messages,
  uploads,
  permissions,
  devices,
  server,
  operators,
  fees,
  ownAdvertisements,
  overlay,
  synchronisation,
  development,
  // Last, because its example deletes what the others have made.
  account,
];

/** The schemas of all groups. */
export const groupSchemas: Properties = {
  ...messageSchemas,
  ...uploadSchemas,
  ...permissionSchemas,
  ...deviceSchemas,
  ...operatorSchemas,
  ...feeSchemas,
  ...ownAdvertisementSchemas,
  ...overlaySchemas,
  ...serverSchemas,
};
