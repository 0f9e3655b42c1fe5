import { inspect } from 'node:util'

/** What every printed form of a secret becomes. */
const HIDDEN = '[hidden]'

/** A password, secret or token that cannot be printed, logged or serialised by accident; only `reveal` returns it. */
export class SecretText {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return HIDDEN
  }
  toJSON(): string {
    return HIDDEN
  }
  [inspect.custom](): string {
    return HIDDEN
  }
}

/** Keystone's Fernet and JWS tokens, for the ones we never received. */
const TOKEN_SHAPES = /gAAAAA[\w-]{20,}={0,2}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+/g

/** `text` without any of `secrets` (shorter than four characters would eat ordinary words) and without anything shaped like a token. */
export function scrub(text: string, secrets: Iterable<string>): string {
  let clean = text
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, HIDDEN)
  return clean.replace(TOKEN_SHAPES, HIDDEN)
}
