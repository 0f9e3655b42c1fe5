import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What is started for an image: as its Dockerfile says, with the bundle that its tag stands for. */
export type Image = {
  readonly entrypoint: readonly string[]
  readonly args: readonly string[]
  readonly bundle: string
}

const OURS = /^ghcr\.io\/abiolaogu\/couchestor(-ceilometer-exporter)?(?::([\w.-]+))?(?:@.*)?$/

/**
 * The project's own images; undefined for any other, which this kubelet leaves alone.
 * A tag has a bundle of its own where `folder` has a file TAG.js: so a test has an older version; else it is `bundle`.
 */
export function imageOf(name: string, bundle: string, folder: string): Image | undefined {
  const [, exporter, tag] = OURS.exec(name) ?? []
  if (!OURS.test(name)) return undefined
  const tagged = join(folder, `${tag}.js`)
  return {
    entrypoint: ['/usr/local/bin/couchestor'],
    args: [exporter === undefined ? '--help' : 'exporter'],
    bundle: tag !== undefined && existsSync(tagged) ? tagged : bundle,
  }
}
