export { type BsvServices, createBsvServices } from './create-bsv-services.js';
export { type Chain, createChain } from './create-chain.js';
export { createServerWallet, type ServerWallet } from './server-wallet.js';
export { WalletUnavailableError } from './wallet-errors.js';
