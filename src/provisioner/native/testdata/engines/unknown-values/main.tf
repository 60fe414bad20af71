terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}
locals {
  ids   = terraform_data.a[*].id
  first = try(local.ids[0], "none")
  cond  = terraform_data.a[0].output == "x" ? { a = 1 } : { a = 2 }
  grp   = { for s in ["aa", "b", "ab"] : substr(s, 0, 1) => s... }
  tpl   = templatefile("${path.module}/x.tftpl", { items = ["p", "q"], on = true })
  when  = data.coder_workspace.me.transition == "start" ? "up" : "down"
}
resource "terraform_data" "a" {
  count = 2
  input = count.index == 0 ? "x" : "y"
}
resource "terraform_data" "b" {
  input = {
    ids = local.ids
    f   = local.first
    c   = local.cond
    g   = local.grp
    t   = local.tpl
    w   = local.when
    p   = path.module
    ws  = terraform.workspace
    n   = length(terraform_data.a)
    u   = upper(terraform_data.a[1].id) == "Q"
    j   = jsonencode({ id = terraform_data.a[0].id })
    s   = split("-", terraform_data.a[0].id)[0] != "zzz"
    k   = can(terraform_data.a[5].id)
    l   = coalesce(terraform_data.a[0].output, "zz")
    m   = merge({ q = terraform_data.a[0].id }, { z = 1 })
    co  = concat([terraform_data.a[0].id], ["e"])
    el  = element(terraform_data.a[*].output, 3)
    fm  = format("%s-%03d", terraform_data.a[1].output, 7)
    st  = [for x in terraform_data.a : x.output if x.input != "x"]
    so  = sort(terraform_data.a[*].output)
    fl  = flatten([[1, [2]], terraform_data.a[*].output])
    lk  = lookup({ x = "found" }, terraform_data.a[0].output, "no")
    kv  = keys({ (terraform_data.a[0].output) = 1 })
  }
}
resource "terraform_data" "c" {
  for_each = { for k, v in { p = true, q = false, r = true } : k => v if v }
  input = "${each.key}${local.when}"
  triggers_replace = local.when
  provisioner "local-exec" {
    when    = destroy
    command = "echo ${each.key} ${self.output} > /dev/null"
  }
}
output "b" { value = terraform_data.b.output }
