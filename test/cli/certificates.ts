import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Pair = { readonly cert: string; readonly key: string }

/** A certificate authority of the tests' own, made by openssl and good for a day. */
export function createAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-certificates-'))
  let made = 0
  const openssl = (line: string) =>
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'
  openssl(`req -x509 ${key} -subj /CN=ca -keyout ca.key -out ca.crt`)
  return {
    ca: text('ca.crt'),
    issue: (name: string): Pair => {
      made += 1
      const file = `${made}`
      const names = `-subj /CN=${name} -addext subjectAltName=DNS:${name},IP:127.0.0.1`
      const files = `-CA ca.crt -CAkey ca.key -keyout ${file}.key -out ${file}.crt`
      openssl(`req -x509 ${key} ${names} ${files}`)
      return { cert: text(`${file}.crt`), key: text(`${file}.key`) }
    },
  }
}
