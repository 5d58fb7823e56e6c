"""Things that rows belong to, by their names in both languages: what "rows of one patient" and 每个门店 speak of."""

ENTITIES: tuple[frozenset[str], ...] = tuple(
    frozenset(names)
    for names in (
        ("patient", "患者", "病人", "病患"),
        ("subject", "participant", "受试者", "被试", "person", "人"),
        ("customer", "client", "客户", "顾客"),
        ("user", "member", "用户", "会员"),
        ("household", "family", "home", "家庭", "户"),
        ("student", "pupil", "学生"),
        ("teacher", "lecturer", "教师", "老师"),
        ("employee", "worker", "员工"),
        ("store", "shop", "outlet", "branch", "门店", "店铺", "商店", "店"),
        ("item", "product", "sku", "article", "商品", "产品", "货品"),
        ("machine", "device", "equipment", "unit", "设备", "机器", "机台"),
        ("sensor", "传感器"),
        ("hospital", "clinic", "医院"),
        ("doctor", "physician", "医生"),
        ("school", "学校"),
        ("class", "班级"),
        ("company", "firm", "公司", "企业"),
        ("driver", "司机"),
        ("vehicle", "car", "车辆", "汽车", "车"),
        ("brand", "make", "品牌"),
        ("city", "town", "城市"),
        ("region", "area", "district", "区域", "地区", "区"),
        ("station", "site", "站点", "车站", "基站"),
        ("session", "visit", "会话", "就诊"),
        ("mouse", "animal", "小鼠", "动物"),
        ("author", "speaker", "writer", "作者", "说话人"),
        ("account", "账户", "账号"),
        ("order", "订单"),
        ("country", "国家"),
        ("community", "neighborhood", "neighbourhood", "小区", "社区"),
        ("airline", "carrier", "航空公司"),
        ("team", "球队", "队伍"),
    )
)
"""Each set is one thing."""
