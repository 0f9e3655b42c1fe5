import { describe, expect, it } from 'vitest'
import { basicAuthorization, bearerAuthorization } from './authorization.ts'

describe('the Authorization header', () => {
  it('follows a token that is renewed in place', async () => {
    let token = 'first\n'
    const authorization = bearerAuthorization(() => Promise.resolve(token))

    expect(await authorization()).toBe('Bearer first')
    token = 'second\n'
    expect(await authorization()).toBe('Bearer second')
  })

  it('encodes user and password as UTF-8', async () => {
    expect(await basicAuthorization('user', () => Promise.resolve('pä:ss\n'))()).toBe(
      `Basic ${Buffer.from('user:pä:ss').toString('base64')}`,
    )
  })

  it.each([
    ['', 'the bearer token is empty'],
    ['two\nlines', 'the bearer token has more than one line'],
  ])('refuses the token %j without repeating it', async (token, message) => {
    await expect(bearerAuthorization(() => Promise.resolve(token))()).rejects.toThrow(
      new Error(message),
    )
  })
})
