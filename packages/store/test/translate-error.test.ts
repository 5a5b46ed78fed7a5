import { StoreUnavailableError, WritesRefusedError } from '../src/client/store-errors.js';
import { translateError } from '../src/client/translate-error.js';

test.each([
  [{ errno: 1290, message: 'The MariaDB server is running with the --read-only option' }],
  [{ errno: 1792, message: 'Cannot execute statement in a READ ONLY transaction' }],
  [{ errno: 1836, message: 'Running in read-only mode' }],
  [{ errno: 1036, message: "Table 'request_claims' is read only" }],
  [{ errno: 1114, message: "The table 'request_claims' is full" }],
  [{ errno: 1021, message: 'Disk full (/tmp/#sql); waiting for someone to free some space' }],
  [{ errno: 1030, message: 'Got error 28 "No space left on device" from storage engine InnoDB' }],
  [{ errno: 1026, message: "Error writing file './binlog' (errno: 28 - No space left on device)" }],
  [{ errno: 3, message: 'Error writing file \'/tmp/x\' (Errcode: 28 "No space left on device")' }],
  [{ code: 'SQLITE_FULL', message: 'database or disk is full' }],
  [{ code: 'SQLITE_READONLY', message: 'attempt to write a readonly database' }],
  [{ code: 'SQLITE_READONLY_DBMOVED', message: 'attempt to write a readonly database' }],
  [{ code: 'SQLITE_IOERR_WRITE', message: 'disk I/O error' }],
])('a database that takes no writes is known by its error: %j', (fields) => {
  const error = Object.assign(new Error(fields.message), fields);
  expect(translateError(error)).toBeInstanceOf(WritesRefusedError);
  expect(translateError(error).cause).toBe(error);
});

test.each([
  [{ errno: 1030, message: 'Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB' }],
  [{ errno: 1026, message: "Error writing file './binlog' (errno: 5 - Input/output error)" }],
  [{ errno: 1142, message: 'INSERT command denied' }],
  [{ code: 'SQLITE_CORRUPT', message: 'database disk image is malformed' }],
  [{ code: 'PROTOCOL_CONNECTION_LOST', message: 'Connection lost' }],
])('other errors are no refusal of writes: %j', (fields) => {
  const error = translateError(Object.assign(new Error(fields.message), fields));
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error).not.toBeInstanceOf(WritesRefusedError);
});
