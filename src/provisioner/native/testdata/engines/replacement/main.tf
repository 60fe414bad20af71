terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}
locals { start = data.coder_workspace.me.transition == "start" }
resource "terraform_data" "x" {
  count = local.start ? 1 : 3
  input = local.start
}
resource "terraform_data" "dep" {
  for_each = local.start ? toset(["a", "b"]) : toset(["b", "c"])
  input = each.value
  triggers_replace = terraform_data.x[0].id
}
resource "terraform_data" "cbd" {
  triggers_replace = local.start
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "cbd_user" {
  input = terraform_data.cbd.id
}
resource "terraform_data" "all_ignored" {
  input            = local.start
  triggers_replace = local.start
  lifecycle {
    ignore_changes = all
  }
}
resource "terraform_data" "by" {
  lifecycle {
    replace_triggered_by = [terraform_data.cbd.id, terraform_data.x]
  }
}
data "coder_parameter" "late" {
  name    = "late"
  default = terraform_data.x[0].id
  depends_on = [terraform_data.cbd]
}
resource "coder_agent" "a" {
  os = "linux"
  arch = "amd64"
  env = { P = data.coder_parameter.late.value }
}
resource "terraform_data" "host" {
  input = coder_agent.a.env
}
