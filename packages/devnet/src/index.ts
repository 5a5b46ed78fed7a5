export { type Funding, LocalChain, LocalChainError, type PostBeefResult } from './chain/local-chain.js';
export { LocalDatabase } from './chain/local-database.js';
export { answerChainCall, answerFaucet } from './routes/chain-calls.js';
export { type DeveloperWallet, openDeveloperWallet } from './wallet/developer-wallet.js';
export { LocalWallet } from './wallet/local-wallet.js';
