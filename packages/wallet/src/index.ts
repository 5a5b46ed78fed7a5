export * from './beef/index.js';
export type { Broadcast } from './chain/broadcast.js';
export { type Chain, type ChainOptions, openChain } from './chain/open-chain.js';
export { answerChainCall, answerFaucet } from './development/chain-calls.js';
export {
  type DeveloperWallet,
  type DeveloperWalletOptions,
  openDeveloperWallet,
} from './development/developer-wallet.js';
export {
  type Funding,
  type FundingRequest,
  type LocalChain,
  LocalChainError,
  MAX_FUNDING,
  type PostBeefResult,
} from './local/local-chain.js';
export { type Money, type MoneyParts, openMoney } from './open-money.js';
export { TransactionVerifier, type VerifiedTransaction, type VerifierLimits } from './verify/transaction-verifier.js';
export * from './verify/verify-errors.js';
export { openServerWallet, type ServerWallet, type ServerWalletOptions } from './wallet/server-wallet.js';
export { WalletUnavailableError } from './wallet/wallet-errors.js';
