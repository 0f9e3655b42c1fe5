import { expect, it } from 'vitest'
import { render } from '../chart/helm.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { GUIDE, guideFiles, manifestsIn } from '../crds/manifests.ts'
import { blocksOf } from './markdown.ts'

describeLab('from-the-guide.md', () => {
  it("removes what the chart makes under the guide's names, which Helm would not take over", async () => {
    const named = (o: { kind: string; metadata: { name?: string } }) =>
      `${o.kind.toLowerCase()}/${o.metadata.name}`
    const made = await render({
      networkPolicy: { enabled: true },
      exporter: { enabled: true, config: { aggregation_period: 300 } },
    })
    const guide = guideFiles().flatMap((file) => manifestsIn(GUIDE, file).map(named))
    const both = made.map(named).filter((name) => guide.includes(name))
    expect(both.length).toBeGreaterThan(5)
    const page = blocksOf('docs/from-the-guide.md').map(({ text }) => text)
    const removed = page.flatMap((text) => (text.includes(' delete ') ? text.split(/\s+/) : []))
    expect(both.filter((name) => !removed.includes(name))).toEqual([])
  })
})
