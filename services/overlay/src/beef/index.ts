export * from './beef.js';
export { ByteReader, InvalidBeefError } from './byte-reader.js';
export * from './transaction.js';
