import { expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { scriptedHttp, vector } from '../activity/prometheus/scripted-http.ts'
import { parseConfig } from '../api/config.ts'
import { silentLog } from '../log.ts'
import type { Session } from '../openstack/session.ts'
import { activitySources } from './activity-sources.ts'

const END = 1_767_226_200
const ID = 'aaaaaaaa-1111-4222-8333-444444444444'
const CUT = ID.slice(0, 20)
const config = parseConfig(
  'prometheus:\n  endpoint: http://prometheus:9090\n  scrape_interval: 30s\n',
  'config.yaml',
)

async function volumesOf(ids: readonly string[]) {
  const sources = activitySources({
    config,
    // only Gnocchi is asked with it
    session: {} as Session,
    clock: createVirtualClock(END * 1000),
    random: () => 0,
    log: silentLog,
    wrap: () => scriptedHttp(vector(END, [[{ volume_id: CUT }, '60']])),
  })
  const fleet = { attachments: () => [], volumeIds: () => ids }
  return sources(fleet).Prometheus.window({ endSeconds: END, windowSeconds: 1800 })
}

it('knows a virtio disk by the 20 characters that it reports', async () => {
  const answer = await volumesOf([ID, 'bbbbbbbb-1111-4222-8333-444444444444'])

  expect(answer).toMatchObject({ kind: 'Answer', warnings: [] })
  expect(answer.kind === 'Answer' && [...answer.volumes.keys()]).toEqual([ID])
})

it('has no data where those fit two volumes, whichever of them is managed', async () => {
  const answer = await volumesOf([ID, `${CUT}999-999999999999`])

  expect(answer.kind === 'Answer' && [...answer.volumes.keys()]).toEqual([])
  expect(answer.kind === 'Answer' && answer.warnings[0]).toContain('fits several volumes')
})
