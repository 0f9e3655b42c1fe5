import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab.ts'
import { renderedManifests } from '../../tools/render-deploy.ts'

const onDisk = [
  ...readdirSync('deploy').map((file) => `deploy/${file}`),
  ...readdirSync('deploy/monitoring').map((file) => `deploy/monitoring/${file}`),
].filter((path) => path.endsWith('.yaml'))

describeLab('the plain manifests', () => {
  it('are what npm run render makes of the chart, all of them', async () => {
    const rendered = await renderedManifests()
    expect([...rendered.keys()].toSorted()).toEqual(onDisk.toSorted())
    const differing = [...rendered].filter(([path, text]) => readFileSync(path, 'utf8') !== text)
    expect(differing.map(([path]) => path)).toEqual([])
  })

  it.each(onDisk)('%s has nothing that only Helm reads', (path) => {
    expect(readFileSync(path, 'utf8')).not.toMatch(/helm|Helm|checksum\//)
  })
})
