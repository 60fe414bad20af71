/** When a user does not mind that workspaces stop: his own hours, else the deployment's. */
import { parseSchedule, type Schedule, ScheduleError } from "./cron.ts";

/** Midnight UTC. */
export const defaultQuietHours = "CRON_TZ=UTC 0 0 * * *";

export function quietHoursOf(own: string, otherwise: string): Schedule {
  if (own !== "") {
    try {
      return parseSchedule(own, "daily");
    } catch (error) {
      // It was checked when it was set; a zone that left the tables must not stop a build.
      if (!(error instanceof ScheduleError)) throw error;
    }
  }
  return parseSchedule(otherwise, "daily");
}
