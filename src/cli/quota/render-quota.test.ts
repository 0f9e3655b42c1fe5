import { expect, it } from 'vitest'
import type { QuotaReport } from '../../insight/quota/quota-report.ts'
import { renderQuota } from './render-quota.ts'

it('names of the cloud do not act on the terminal', () => {
  const hostile = 'gigabytes_\u001b[2Jcold\nProposal: raise all'
  const report = {
    projectId: 'p1',
    storageMode: 'dynamic',
    unreadable: null,
    rows: [],
    notices: [`no numbers of ${hostile}`],
    warnings: [`${hostile} is unlimited`],
    proposals: [{ key: hostile, limit: 1, text: `raise ${hostile}`, command: `set ${hostile}` }],
    drift: [{ key: hostile, inUse: 1, counted: 2 }],
    driftFix: null,
  } as unknown as QuotaReport
  const text = renderQuota(report)
  expect(text).not.toContain('\u001b')
  expect(text.match(/^Proposal: /gm)).toHaveLength(1)
})
