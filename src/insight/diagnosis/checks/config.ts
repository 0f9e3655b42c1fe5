import { keysWithoutEffect } from '../../../api/config-notices.ts'
import type { Facts } from '../facts.ts'
import { finding, notChecked, ok, when } from '../finding.ts'
import type { Line } from '../finding.ts'

/** config.yaml: mistakes, keys without effect, the stop switch. */
export function checkConfig({
  config: { config, where, mistakes, unread },
}: Facts): readonly Line[] {
  if (unread !== undefined)
    return [notChecked('config', 'config.yaml', unread, 'give --config FILE')]
  if (where === undefined)
    return [finding('ConfigMissing', 'there is no config.yaml; defaults hold')]
  if (mistakes.length > 0) return mistakes.map((m) => finding('ConfigInvalid', `${where}: ${m}`))
  return [
    ok(`${where} has no mistakes`),
    ...keysWithoutEffect(config).map((line) => finding('ConfigIgnored', line)),
    ...when(
      config.migration.paused,
      finding('StopSwitchOn', `migration.paused is true in ${where}`),
    ),
  ]
}
