"""What people call common targets, and what columns that hold them are called. English and Chinese side by side.

Data, not code: `said` are phrases of a `Lexicon`; `columns` are keys as `key_of` makes them, likeliest first.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A thing that many data sets are about."""

    said: tuple[str, ...]
    columns: tuple[str, ...]


CONCEPTS: dict[str, Concept] = {
    "survival": Concept(
        said=("surviv*", "alive", "die", "dies", "died", "dead", "death", "mortality", "lived", "make it out", "生还", "存活", "幸存", "活下来", "活着", "生存", "死亡", "去世", "会死", "死了", "死掉", "丧生", "遇难"),
        columns=("survived", "survival", "alive", "deathevent", "died", "dead", "death", "mortality", "event", "status", "outcome", "是否生还", "生还", "存活", "是否存活", "死亡", "是否死亡", "结局"),
    ),
    "churn": Concept(
        said=("churn*", "leave", "leaves", "leaving", "left us", "cancel*", "unsubscrib*", "retention", "流失", "离网", "退订", "离开", "会走", "跑掉", "走掉", "留存", "退网"),
        columns=("churn", "churned", "ischurn", "churnflag", "churnlabel", "exited", "attrition", "left", "leave", "cancelled", "canceled", "iscanceled", "流失", "是否流失", "离网", "是否离网"),
    ),
    "attrition": Concept(
        said=("attrition", "quit", "quits", "quitting", "resign*", "turnover", "leave", "leaves", "leaving", "leave the company", "离职", "辞职", "跳槽"),
        columns=("attrition", "left", "resigned", "quit", "turnover", "离职", "是否离职", "churn", "exited"),
    ),
    "house price": Concept(
        said=(
            "house price*", "housing price*", "home price*", "price of a house", "price of each house", "price of the house", "house value*", "home value*", "house worth", "houses worth", "property price*", "real estate price*",
            "property value*", "apartment price*", "house sell for", "home sell for", "sell for", "sold for", "worth", "房价", "房屋价格", "房子价格", "住房价格", "售价", "成交价", "房屋总价", "卖多少钱", "值多少钱",
        ),
        columns=("saleprice", "medianhousevalue", "houseprice", "medhousevalue", "medhouseval", "medv", "houseprice", "price", "sellingprice", "totalprice", "unitprice", "总价", "房价", "成交价", "售价", "价格", "单价", "房价中位数"),
    ),
    "price": Concept(
        said=("price*", "cost*", "how expensive", "worth", "sell for", "sold for", "value", "valuation", "价格", "售价", "价钱", "多少钱", "报价", "成本", "票价"),
        columns=("price", "sellingprice", "saleprice", "saleamount", "unitprice", "cost", "charge", "fare", "amount", "msrp", "value", "medianhousevalue", "价格", "售价", "总价", "单价", "成本", "票价", "成交价"),
    ),
    "income": Concept(
        said=("income", "salary", "salaries", "wage*", "earn*", "earning*", "paid", "pay", "收入", "工资", "薪水", "薪资", "年薪", "月薪"),
        columns=("income", "salary", "wage", "income50k", "annualincome", "monthlyincome", "earning", "收入", "工资", "薪资", "年收入", "月收入", "薪水"),
    ),
    "sales": Concept(
        said=("sales", "sale", "revenue", "turnover", "sold", "demand", "units sold", "orders", "销量", "销售额", "销售量", "营业额", "卖出", "需求量", "订单量"),
        columns=("sale", "unitsold", "salesamount", "weeklysale", "revenue", "demand", "quantity", "qty", "order", "销量", "销售额", "销售量", "营业额", "需求量", "订单量"),
    ),
    "count": Concept(
        said=("how many", "number of", "rentals", "rented", "rides", "count of", "traffic", "visitors", "多少辆", "租车数量", "租借量", "骑行量", "客流", "数量", "流量", "人数"),
        columns=("count", "cnt", "total", "rental", "ride", "trip", "visitor", "traffic", "num", "数量", "租借量", "客流量", "人数", "流量", "总数"),
    ),
    "load": Concept(
        said=("load", "electricity", "power demand", "energy demand", "energy consumption", "power consumption", "consumption", "负荷", "用电量", "用电", "电力", "能耗", "耗电量"),
        columns=("load", "loadmw", "loadmwh", "electricity", "consumption", "energy", "demand", "powerconsumption", "负荷", "用电量", "能耗", "电量", "功率"),
    ),
    "temperature": Concept(
        said=("temperature", "how warm", "how hot", "how cold", "温度", "气温", "油温"),
        columns=("temperature", "temp", "ot", "oiltemperature", "温度", "气温", "油温"),
    ),
    "default": Concept(
        said=("default*", "credit risk", "bad loan*", "repay*", "won't pay", "will not pay", "not pay", "don't pay", "fail to pay", "cannot pay", "pay back", "pays back", "还不上", "不还钱", "还不起", "delinquen*", "违约", "逾期", "坏账", "还款", "信用风险"),
        columns=("default", "defaultpaymentnextmonth", "loandefault", "isdefault", "seriousdlqin2yr", "loanstatus", "badloan", "risk", "creditrisk", "违约", "是否违约", "逾期", "是否逾期", "坏账"),
    ),
    "approval": Concept(
        said=("approv*", "grant*", "accept the loan", "批准", "审批", "通过审核", "放款"),
        columns=("approved", "approval", "loanapproved", "loanstatus", "granted", "是否批准", "批准", "审批结果"),
    ),
    "fraud": Concept(
        said=("fraud*", "scam*", "欺诈", "诈骗", "盗刷"),
        columns=("fraud", "isfraud", "fraudulent", "fraudflag", "class", "欺诈", "是否欺诈"),
    ),
    "spam": Concept(
        said=("spam*", "junk mail", "垃圾短信", "垃圾邮件", "垃圾信息", "骚扰"),
        columns=("spam", "isspam", "label", "class", "category", "v1", "type", "是否垃圾短信", "标签", "类别"),
    ),
    "sentiment": Concept(
        said=("sentiment*", "opinion*", "mood", "positive or negative", "happy or not", "tone", "情感", "情绪", "好评还是差评", "正面还是负面", "褒贬", "好评"),
        columns=("sentiment", "airlinesentiment", "label", "polarity", "emotion", "mood", "情感", "情绪", "标签", "情感倾向"),
    ),
    "rating": Concept(
        said=("rating*", "stars", "score", "how many stars", "review score", "评分", "打分", "星级", "几星"),
        columns=("rating", "star", "score", "reviewscore", "overall", "y", "评分", "星级", "打分", "分数"),
    ),
    "quality": Concept(
        said=("quality", "how good", "质量", "品质", "好不好"),
        columns=("quality", "grade", "score", "质量", "品质", "等级"),
    ),
    "kind": Concept(
        said=("species", "kind of flower", "what flower", "breed", "variety", "种类", "品种", "物种", "鸢尾花"),
        columns=("species", "class", "variety", "breed", "type", "kind", "label", "target", "种类", "品种", "类别"),
    ),
    "disease": Concept(
        said=("disease", "diagnos*", "sick", "ill", "illness", "cancer", "tumor", "tumour", "malignant", "diabet*", "heart attack", "heart disease", "stroke", "患病", "疾病", "诊断", "得病", "癌", "肿瘤", "恶性", "糖尿病", "心脏病", "中风"),
        columns=("diagnosis", "disease", "target", "outcome", "heartdisease", "diabetes", "stroke", "cancer", "malignant", "num", "class", "诊断", "疾病", "是否患病", "患病", "糖尿病", "诊断结果"),
    ),
    "readmission": Concept(
        said=("readmi*", "come back to hospital", "return to hospital", "再入院", "再次入院", "再次住院", "重新住院", "重新入院", "复诊", "再住院"),
        columns=("readmitted", "readmission", "readmit", "isreadmitted", "再入院", "是否再入院"),
    ),
    "stay": Concept(
        said=("length of stay", "how long * stay", "days in hospital", "stay in hospital", "住院天数", "住院时长", "住院多久", "住多久", "住院几天"),
        columns=("lengthofstay", "los", "stay", "timeinhospital", "dayinhospital", "住院天数", "住院时长"),
    ),
    "failure": Concept(
        said=("fail", "fails", "failing", "failure*", "break", "breaks", "breakdown*", "break down", "broken", "fault*", "defect*", "malfunction*", "故障", "失效", "损坏", "坏掉", "报废", "缺陷"),
        columns=("machinefailure", "failure", "target", "fail", "failed", "broken", "fault", "defect", "故障", "是否故障", "失效", "缺陷", "是否损坏"),
    ),
    "click": Concept(
        said=("click*", "ctr", "点击", "点击率"),
        columns=("click", "clicked", "isclick", "clickedonad", "ctr", "点击", "是否点击"),
    ),
    "purchase": Concept(
        said=("buy", "buys", "bought", "purchas*", "convert*", "conversion", "购买", "下单", "转化", "成交", "会买"),
        columns=("purchased", "purchase", "buy", "bought", "conversion", "converted", "revenue", "购买", "是否购买", "转化", "是否转化", "下单", "是否下单"),
    ),
    "subscription": Concept(
        said=("subscri*", "sign up", "term deposit", "take the offer", "respond*", "定期存款", "办理", "订阅", "认购", "开通", "响应"),
        columns=("deposit", "subscribed", "subscribe", "subscription", "termdeposit", "y", "response", "responded", "signup", "是否订阅", "订阅", "是否认购", "是否办理", "认购"),
    ),
    "grade": Concept(
        said=("grade*", "exam score", "test score", "marks", "成绩", "分数", "考试"),
        columns=("grade", "finalgrade", "g3", "score", "examscore", "mark", "mathscore", "成绩", "总分", "分数", "期末成绩"),
    ),
    "pass": Concept(
        said=("pass", "passes", "passed", "pass the exam", "及格", "通过考试", "考过"),
        columns=("passed", "pass", "result", "是否及格", "及格", "是否通过"),
    ),
    "delay": Concept(
        said=("delay*", "late", "on time", "arrive late", "延误", "晚点", "迟到", "准时"),
        columns=("delay", "delayed", "arrdelay", "depdelay", "isdelayed", "late", "arrivaldelay", "reachedontime", "延误", "是否延误", "晚点"),
    ),
    "rain": Concept(
        said=("rain*", "will it rain", "wet", "precipitation", "下雨", "降雨", "降水"),
        columns=("raintomorrow", "rain", "rainfall", "precipitation", "willrain", "是否下雨", "下雨", "降雨量", "降水量"),
    ),
    "weather": Concept(said=("weather", "天气"), columns=("weather", "weathercondition", "condition", "weathersit", "天气")),
    "duration": Concept(
        said=("how long", "duration", "time it takes", "travel time", "delivery time", "eta", "多久", "时长", "耗时", "配送时间", "送达时间"),
        columns=("duration", "tripduration", "traveltime", "deliverytime", "timetaken", "eta", "时长", "配送时间", "耗时"),
    ),
    "age": Concept(said=("how old", "age", "年龄", "几岁", "多大年纪"), columns=("age", "年龄")),
    "gender": Concept(said=("gender", "sex", "man or woman", "male or female", "性别", "男女"), columns=("gender", "sex", "性别")),
    "gearbox": Concept(said=("gearbox", "transmission", "变速箱", "手动还是自动"), columns=("transmission", "gearbox", "变速箱")),
    "fuel": Concept(said=("fuel type", "fuel", "燃料", "燃油类型"), columns=("fuel", "fueltype", "燃料", "燃料类型")),
    "topic": Concept(
        said=("topic", "category", "categories", "categorise", "categorize", "话题", "主题", "类别", "分到哪一类"),
        columns=("category", "topic", "label", "class", "类别", "主题", "分类", "标签"),
    ),
    "vote": Concept(said=("vote", "votes", "voter*", "voting", "投票"), columns=("vote", "votercategory", "voted", "voter", "投票", "是否投票")),
    "digit": Concept(said=("digit*", "letter", "letters", "character", "数字", "字母"), columns=("digit", "letter", "label", "target", "class")),
    "co2": Concept(said=("emission*", "co2", "排放"), columns=("co2emission", "emission", "co2", "排放量", "碳排放")),
    "insurance": Concept(said=("claim*", "charges", "medical cost*", "insurance cost*", "理赔", "医疗费用", "保费"), columns=("charge", "claim", "claimed", "expense", "claimamount", "理赔金额", "是否理赔", "费用", "保费")),
    "yield": Concept(said=("yield*", "crop", "产量", "收成"), columns=("yield", "cropyield", "production", "产量")),
    "strength": Concept(said=("strength", "强度"), columns=("strength", "compressivestrength", "concretecompressivestrength", "强度", "抗压强度")),
}  # fmt: skip

USUAL_TARGETS = (
    "target", "label", "y", "class", "outcome", "response", "result", "output", "目标", "标签", "目标变量", "结果", "类别", "是否",
)  # fmt: skip
"""Keys that name the target by custom, whatever the data are about."""
