/** Where tiers have the names of the guide they have the colours that one expects. */
export const TIER_COLORS = { hot: 'red', warm: 'orange', cold: 'blue' } as const
