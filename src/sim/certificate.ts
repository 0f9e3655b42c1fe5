import { generateKeyPairSync, sign } from 'node:crypto'

/** PEM texts. */
export type Certificate = { readonly cert: string; readonly key: string }

/** A self-signed certificate for names and IPv4 addresses, its own authority, good from yesterday for ten years. */
export function selfSigned(hosts: readonly string[], now = new Date()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = seq(oid('2a8648ce3d040302'))
  const name = seq(set(seq(oid('550403'), der(0x0c, Buffer.from(hosts[0] ?? 'simulator')))))
  const to = seq(
    algorithm,
    name,
    seq(time(now.getTime() - 86_400_000), time(now.getTime() + 3650 * 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      seq(
        seq(
          oid('551d13'),
          der(0x01, Buffer.from([0xff])),
          octets(seq(der(1, Buffer.from([0xff])))),
        ),
        seq(oid('551d11'), octets(seq(...hosts.map(alternative)))),
      ),
    ),
  )
  const tbs = seq(der(0xa0, der(2, Buffer.from([2]))), der(2, Buffer.from([1])), inside(to))
  const signature = sign('sha256', tbs, privateKey)
  const cert = seq(tbs, algorithm, der(3, Buffer.from([0]), signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines(cert.toString('base64'))}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function lines(base64: string): string {
  return (base64.match(/.{1,64}/g) ?? []).join('\n')
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const n = body.length
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

/** The parts of a sequence, without its head. */
function inside(sequence: Buffer): Buffer {
  const long = sequence[1] ?? 0
  return sequence.subarray(long < 128 ? 2 : 2 + (long & 0x7f))
}

const seq = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const set = (...parts: readonly Buffer[]) => der(0x31, ...parts)
const octets = (...parts: readonly Buffer[]) => der(4, ...parts)
const oid = (hex: string) => der(6, Buffer.from(hex, 'hex'))

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(text))
}

function alternative(host: string): Buffer {
  const address = /^\d+\.\d+\.\d+\.\d+$/.test(host)
  return address
    ? der(0x87, Buffer.from(host.split('.').map(Number)))
    : der(0x82, Buffer.from(host))
}
