export type { JwtKey } from './jwt-key.ts'
export {
  type JwtTokenVerifier,
  type JwtTokenVerifierOptions,
  jwtTokenVerifier,
} from './jwt-token-verifier.ts'
export { type MintTokenOptions, mintToken } from './mint-token.ts'
