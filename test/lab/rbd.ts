import { randomBytes } from 'node:crypto'
import type { AdminVolume } from './cinder-admin.ts'
import { command } from './command.ts'
import { theLab } from './env.ts'

export const POOLS = ['hot-pool', 'warm-pool', 'cold-pool'] as const
export type Pool = (typeof POOLS)[number]

/** Where a volume's data is. */
export type RbdImage = { readonly pool: Pool; readonly image: string }

function rbd(args: readonly string[], input?: Uint8Array): Promise<string> {
  const { env } = theLab()
  const conf = env['CEPH_CONF'] ?? ''
  return command('rbd', ['-c', conf, ...args], { env, ...(input === undefined ? {} : { input }) })
}

/** The names of all images, per pool. */
export async function rbdImages(): Promise<Record<Pool, string[]>> {
  const lists = await Promise.all(
    POOLS.map(async (pool) => JSON.parse(await rbd(['ls', '--format', 'json', pool])) as string[]),
  )
  return { 'hot-pool': lists[0]!, 'warm-pool': lists[1]!, 'cold-pool': lists[2]! }
}

/** Finds the image of a volume. After a generic retype it is named after the hidden name_id, so that may be given too. */
export async function findImage(
  volumeId: string,
  nameId?: string | null,
): Promise<RbdImage | undefined> {
  const images = await rbdImages()
  for (const id of [nameId ?? volumeId, volumeId]) {
    for (const pool of POOLS) {
      if (images[pool].includes(`volume-${id}`)) return { pool, image: `volume-${id}` }
    }
  }
  return undefined
}

/** Where Cinder says that the volume is: a copy that was cut leaves an image of that name in another pool as well. */
export function imageOf(volume: AdminVolume | undefined): RbdImage {
  const backend = volume?.['os-vol-host-attr:host']?.split('#').at(-1)
  const pool = POOLS.find((p) => p === `${backend}-pool`)
  if (volume === undefined || pool === undefined) throw new Error(`no pool of ${volume?.id}`)
  return { pool, image: `volume-${volume['os-vol-mig-status-attr:name_id'] ?? volume.id}` }
}

export async function removeImage({ pool, image }: RbdImage): Promise<void> {
  await rbd(['rm', '--no-progress', `${pool}/${image}`])
}

/** SHA-256 (hex) over the image's whole content. */
export async function sha256({ pool, image }: RbdImage): Promise<string> {
  const { env } = theLab()
  const script = 'set -o pipefail; rbd -c "$CEPH_CONF" export --no-progress "$1" - | sha256sum'
  const out = await command('bash', ['-c', script, '-', `${pool}/${image}`], { env })
  return out.slice(0, 64)
}

/** SHA-256 (hex) over the first MiB only: where nothing else was ever written, in a fraction of the time. */
export async function sha256OfStart({ pool, image }: RbdImage, mebibytes: number): Promise<string> {
  const { env } = theLab()
  const args = ['-c', READ, pool, image, String(mebibytes)]
  return (await command('/usr/bin/python3', args, { env })).trim()
}

/** Writes random data into the image at an offset in MiB; the lab keeps it in memory, so keep it small. */
export async function writeRandom(
  { pool, image }: RbdImage,
  mebibytes = 8,
  offsetMiB = 0,
): Promise<void> {
  const { env } = theLab()
  const input = randomBytes(mebibytes << 20)
  await command('/usr/bin/python3', ['-c', WRITE, pool, image, String(offsetMiB << 20)], {
    env,
    input,
  })
}

const WRITE = `
import os, sys, rados, rbd
pool, name, offset = sys.argv[1:]
with rados.Rados(conffile=os.environ["CEPH_CONF"], name="client.admin") as cluster:
    with rbd.Image(cluster.open_ioctx(pool), name) as image:
        image.write(sys.stdin.buffer.read(), int(offset))
        image.flush()
`

const READ = `
import hashlib, os, sys, rados, rbd
pool, name, mebibytes = sys.argv[1:]
digest = hashlib.sha256()
with rados.Rados(conffile=os.environ["CEPH_CONF"], name="client.admin") as cluster:
    with rbd.Image(cluster.open_ioctx(pool), name, read_only=True) as image:
        for offset in range(0, int(mebibytes) << 20, 4 << 20):
            digest.update(image.read(offset, 4 << 20))
print(digest.hexdigest())
`
