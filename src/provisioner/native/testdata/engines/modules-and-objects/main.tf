terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
module "m" {
  source = "./m"
  count = 2
  name = "n${count.index}"
  agent_id = coder_agent.a.id
}
module "k" {
  source = "./m"
  for_each = toset(["x", "y.z"])
  name = "k-${replace(each.key, ".", "-")}"
  agent_id = coder_agent.a.id
  opts = { extra = each.key }
}
resource "coder_agent" "a" {
  os = "linux"
  arch = "arm64"
}
resource "terraform_data" "h" {
  count = data.coder_workspace.me.start_count
  triggers_replace = [coder_agent.a.token, module.m[0].out]
  input = module.m[*].out
}
output "all" { value = { m = module.m[*].out, k = { for k, v in module.k : k => v.out } } }
