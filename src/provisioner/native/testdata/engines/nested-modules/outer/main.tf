terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

variable "agents" { type = map(string) }
variable "on" { type = number }
module "inner" {
  for_each = var.on > 0 ? var.agents : {}
  source   = "./inner"
  id       = each.value
  slug     = each.key
}
output "inner_ids" { value = [for k in sort(keys(module.inner)) : module.inner[k].app] }
output "n" { value = length(module.inner) }
